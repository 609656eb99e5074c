from django.db import migrations


class Migration(migrations.Migration):
    """Room for the outcome of every line of a page beside it, so that no line needs a second entry in the index."""

    dependencies = [("distribution", "0018_events_by_time")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE distribution_bindingline SET (fillfactor = 45)",
            "ALTER TABLE distribution_bindingline SET (fillfactor = 60)",
        )
    ]
