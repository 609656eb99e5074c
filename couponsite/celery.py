"""Celery and the whole timetable, in the business's own time zone."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "couponsite.settings")
app = Celery("couponsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

app.conf.beat_schedule = {
    "tidy up coupons past their date": {
        "task": "coupons.tasks.expire_coupons",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "tidy up coupons whose hold ran out": {
        "task": "coupons.tasks.lapse_holds",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "tidy up redemptions whose hold ran out": {
        "task": "redemption.tasks.lapse_holds",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "send messages that are due": {
        "task": "distribution.tasks.send_messages",
        "schedule": 10.0,
        "options": {"expires": 9},
    },
    "remind of unused coupons": {
        "task": "distribution.tasks.remind",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "warn of budgets that run low": {"task": "stats.tasks.warn_of_budgets", "schedule": 300.0},
    "tidy up events of the app": {"task": "distribution.tasks.tidy_events", "schedule": 3600.0},
    "tidy up sign-ins": {"task": "distribution.tasks.tidy_sign_ins", "schedule": 3600.0},
    "tell systems of coupons' moves": {
        "task": "coupons.tasks.tell_webhooks",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "forget what systems were told long ago": {"task": "coupons.tasks.tidy_webhooks", "schedule": 3600.0},
    "go on with jobs that nobody runs": {
        "task": "coupons.tasks.go_on_with_jobs",
        "schedule": 30.0,
        "options": {"expires": 25},
    },
    "forget wrong codes of long ago": {
        "task": "distribution.tasks.forget_wrong_codes",
        "schedule": 600.0,
        "options": {"expires": 500},
    },
    "prove the ledger": {
        "task": "stats.tasks.prove_ledger",
        "schedule": crontab(hour=3, minute=40),
    },
    "fold events into the rollups": {
        "task": "stats.tasks.fold_events",
        "schedule": 15.0,  # what waits is counted by whoever reads
        "options": {"expires": 14},
    },
    "send reports whose hour has come": {
        "task": "stats.tasks.send_reports",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "forget how often devices and addresses came": {
        "task": "distribution.tasks.forget_old_velocity",
        "schedule": 3600.0,
        "options": {"expires": 3000},
    },
    "ask for the weather": {
        "task": "distribution.tasks.observe_weather",
        "schedule": 1200.0,
        "options": {"expires": 1100},
    },
}
