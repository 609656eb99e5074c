from django.db import migrations, models

MEASURES = (
    ("issued_count", "issued"),
    ("seen_count", "seen"),
    ("redeemed_count", "redeemed"),
    ("rolled_back_count", "rolled back"),
    ("returned_count", "came back"),
    ("expired_count", "expired"),
    ("void_count", "void"),
    ("committed_fen", "committed"),
    ("spent_fen", "spent"),
    ("merchant_fen", "of it the merchants'"),
    ("gmv_fen", "order value"),
    ("paid_fen", "paid"),
)
NAMES = ", ".join(name for name, _label in MEASURES)
SUMS = ", ".join(f"sum({name})::bigint" for name, _label in MEASURES)
#: What is folded already; nothing is folded meanwhile.
FILL = f"""
LOCK TABLE stats_hourrollup IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO stats_facetrollup (facet, day, template_id, placement, value, {NAMES})
SELECT CASE GROUPING(city_id, business_line, activity, hour)
            WHEN 7 THEN 'city' WHEN 11 THEN 'business_line' WHEN 13 THEN 'activity' WHEN 14 THEN 'hour' ELSE '' END,
       day, coalesce(template_id, 0), coalesce(placement, ''), coalesce(city_id, business_line, activity, hour::text, ''), {SUMS}
  FROM stats_hourrollup
 GROUP BY day, GROUPING SETS ((), (template_id, placement)),
       GROUPING SETS ((), (city_id), (business_line), (activity), (hour))
"""  # noqa: S608  the names above


class Migration(migrations.Migration):
    dependencies = [("stats", "0007_seen")]

    operations = [
        migrations.CreateModel(
            name="FacetRollup",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField(verbose_name="day")),
                ("template_id", models.BigIntegerField()),
                ("placement", models.CharField(blank=True, max_length=64, verbose_name="placement")),
                *((name, models.BigIntegerField(default=0, verbose_name=label)) for name, label in MEASURES),
                ("facet", models.CharField(blank=True, max_length=13)),
                ("value", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "verbose_name": "rollup by one fact",
                "verbose_name_plural": "rollups by one fact",
                "indexes": [models.Index(fields=["facet", "template_id", "value", "day"], name="facet_rollup_of_value")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("facet", "day", "template_id", "placement", "value"), name="facet_rollup_cell_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
