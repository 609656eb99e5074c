from django.db import migrations, models
from django.db.models import Q


def without_number(apps, schema_editor):
    """Such a rule could be saved and never refused anybody."""
    rules = apps.get_model("distribution", "RiskRule").objects
    rules.exclude(kind="account_age").filter(most_count=None).delete()
    rules.filter(kind="phone_prefix", digits=None).delete()


class Migration(migrations.Migration):
    dependencies = [("distribution", "0020_share_plans_in_catalogue")]

    operations = [
        migrations.RunPython(without_number, migrations.RunPython.noop),
        migrations.RemoveConstraint("riskrule", "riskrule_has_a_number"),
        migrations.RemoveConstraint("riskrule", "riskrule_has_digits"),
        migrations.AddConstraint(
            "riskrule",
            models.CheckConstraint(
                condition=Q(kind="account_age", most_count__isnull=True)
                | (~Q(kind="account_age") & Q(most_count__isnull=False, most_count__gte=1)),
                name="riskrule_has_a_number",
                violation_error_message="All but the age of an account need a number of claims.",
            ),
        ),
        migrations.AddConstraint(
            "riskrule",
            models.CheckConstraint(
                condition=Q(kind="phone_prefix", digits__isnull=False, digits__gte=3)
                | (~Q(kind="phone_prefix") & Q(digits__isnull=True)),
                name="riskrule_has_digits",
                violation_error_message="Digits are for the phone number, and needed there.",
            ),
        ),
    ]
