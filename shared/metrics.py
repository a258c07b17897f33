"""Every metric of the platform, named once. Services add none of their own elsewhere."""

from prometheus_client import Counter, Gauge, Histogram

CONSUMED = Counter("rapport_consumed_total", "Records that have had their effect", ["group", "topic"])
SKIPPED = Counter("rapport_skipped_total", "Records dropped because they were seen before", ["group", "why"])
DEAD_LETTERS = Counter("rapport_dead_letters_total", "Records set aside for good", ["group", "reason"])
BATCH_RECORDS = Histogram(
    "rapport_batch_records", "Records in a batch", ["group"], buckets=(1, 3, 10, 30, 100, 300, 1000, 3000)
)
BATCH_SECONDS = Histogram(
    "rapport_batch_seconds",
    "From the batch's arrival to its commit",
    ["group"],
    buckets=(0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
BATCH_FAILURES = Counter("rapport_batch_failures_total", "Batches that failed and are tried again", ["group", "error"])
LAG = Gauge("rapport_lag", "Records that wait in the log", ["group", "topic", "partition"])
HALTED = Gauge("rapport_consumer_halted", "1 while too many dead letters in a row stop the consumer", ["group"])
PUBLISHED = Counter("rapport_published_total", "Events acknowledged by the broker", ["service", "topic"])
OUTBOX_AGE = Gauge("rapport_outbox_age_seconds", "Age of the oldest event that has not left the outbox", ["service"])
EVENT_SECONDS = Histogram(
    "rapport_event_seconds",
    "From an event's publication to the commit of its effect",
    ["group"],
    buckets=(0.01, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 3, 10, 60),
)
DELIVERIES = Counter("rapport_deliveries_total", "Views sent to channels", ["channel", "outcome"])
ERASURES_OPEN = Gauge("rapport_erasures_open", "Erasures that a place is not done with", ["place"])
ERASURES_LATE = Gauge(
    "rapport_erasures_late", "Of those, the ones that somebody has to look after before the law does", ["place"]
)
DRIFT = Gauge("rapport_drift", "1 while what the models read, or what they say, has drifted away", ["what"])
