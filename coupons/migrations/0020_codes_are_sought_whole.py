from django.db import migrations

# Django makes a second index for searches by the beginning of a text. Codes are sought whole, and every issue pays for it.
INDEX = "coupons_coupon_code_40174643_like"


class Migration(migrations.Migration):
    dependencies = [("coupons", "0019_refusals_by_place")]

    operations = [
        migrations.RunSQL(
            f"DROP INDEX {INDEX}", f"CREATE INDEX {INDEX} ON coupons_coupon (code varchar_pattern_ops)"
        )
    ]
