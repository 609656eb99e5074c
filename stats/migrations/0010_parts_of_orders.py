from django.conf import settings
from django.db import migrations, models

FACTS = "template_id, placement, city_id, business_line, activity"
#: What is folded already; a cell of it is there for each of these events.
FILL = f"""
UPDATE stats_hourrollup h SET order_parts = c.parts FROM (
    SELECT day, hour, {FACTS}, sum(order_parts) AS parts FROM (
        SELECT (e.at AT TIME ZONE %(zone)s)::date AS day,
               date_part('hour', e.at AT TIME ZONE %(zone)s)::smallint AS hour, e.template_id,
               coalesce(e.placement, '') AS placement, coalesce(e.city_id, '') AS city_id, k.business_line, k.activity,
               e.order_parts
          FROM coupons_couponevent e JOIN stats_countedevent k ON k.event_id = e.id WHERE e.order_parts <> 0) e
     GROUP BY day, hour, {FACTS}) c
 WHERE (h.day, h.hour, {", ".join(f"h.{fact}" for fact in FACTS.split(", "))})
     = (c.day, c.hour, {", ".join(f"c.{fact}" for fact in FACTS.split(", "))});
UPDATE stats_dayrollup d SET order_parts = c.parts FROM (
    SELECT day, {FACTS}, sum(order_parts) AS parts FROM stats_hourrollup WHERE order_parts <> 0 GROUP BY day, {FACTS}) c
 WHERE (d.day, {", ".join(f"d.{fact}" for fact in FACTS.split(", "))})
     = (c.day, {", ".join(f"c.{fact}" for fact in FACTS.split(", "))});
UPDATE stats_facetrollup f SET order_parts = c.parts FROM (
    SELECT CASE GROUPING(city_id, business_line, activity, hour)
                WHEN 7 THEN 'city' WHEN 11 THEN 'business_line' WHEN 13 THEN 'activity' WHEN 14 THEN 'hour' ELSE '' END AS facet,
           day, coalesce(template_id, 0) AS template_id, coalesce(placement, '') AS placement,
           coalesce(city_id, business_line, activity, hour::text, '') AS value, sum(order_parts) AS parts
      FROM stats_hourrollup WHERE order_parts <> 0
     GROUP BY day, GROUPING SETS ((), (template_id, placement)),
           GROUPING SETS ((), (city_id), (business_line), (activity), (hour))) c
 WHERE (f.facet, f.day, f.template_id, f.placement, f.value) = (c.facet, c.day, c.template_id, c.placement, c.value)
"""  # noqa: S608  the names above


def fill(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(FILL, {"zone": settings.TIME_ZONE})


class Migration(migrations.Migration):
    dependencies = [("stats", "0009_customers"), ("redemption", "0007_parts_of_orders")]

    operations = [
        *(
            migrations.AddField(
                model_name=model,
                name="order_parts",
                field=models.BigIntegerField(default=0, verbose_name="orders, millionths"),
            )
            for model in ("dayrollup", "facetrollup", "hourrollup")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
