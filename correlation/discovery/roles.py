"""What a service is, from its image, the attributes of calls to it, or its name. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

SYSTEMS = {
    "database": (
        "postgres", "postgresql", "mysql", "mariadb", "percona", "mongo", "mongodb", "cassandra",
        "scylla", "cockroach", "cockroachdb", "clickhouse", "elasticsearch", "opensearch", "mssql",
        "sqlserver", "oracle", "timescaledb", "yugabyte", "neo4j", "couchdb", "couchbase",
        "influxdb", "db2", "sqlite", "solr", "dynamodb", "spanner", "bigtable", "vitess", "patroni",
        "pgbouncer", "tidb", "tikv", "hbase", "arangodb", "rethinkdb", "firebird", "mssqlserver",
    ),
    "cache": (
        "redis", "valkey", "memcached", "memcache", "dragonfly", "dragonflydb", "keydb",
        "hazelcast", "varnish", "infinispan", "ehcache",
    ),
    "queue": (
        "kafka", "rabbitmq", "nats", "pulsar", "activemq", "artemis", "redpanda", "nsq", "nsqd",
        "mosquitto", "emqx", "beanstalkd", "sqs", "servicebus", "eventhubs", "rocketmq",
    ),
}  # fmt: skip
WORDS = {
    "database": ("db", "database", "sql"),
    "cache": ("cache",),
    "queue": ("queue", "mq", "broker"),
}
_OTHERS_WORK = {
    "exporter", "operator", "ui", "admin", "backup", "client", "proxy", "consumer", "producer",
    "worker", "migrate", "migration", "migrations", "commander", "connect", "insights", "adapter",
    "sidecar", "init", "exporters", "dashboard", "service", "api",
}  # fmt: skip
"""Words beside a system's name that say the thing only has to do with it."""
_SYSTEM_OF = {system: role for role, systems in SYSTEMS.items() for system in systems}
_WORD_OF = {word: role for role, words in WORDS.items() for word in words}
_PLACES = re.compile(
    r"^(master|primary|replica|slave|leader|follower|standby|headless|ha|cluster|server|node|main"
    r"|ro|rw|read|write|\d+|v\d+)$"
)


def role_of_image(image: str) -> str:
    """The role of a container image, "" when it says none: `bitnami/postgresql:16` -> database."""
    return _by_system(image.split("@")[0].rpartition("/")[2].partition(":")[0])


def role_of_system(system: str) -> str:
    """The role of a `db.system` or `messaging.system` value, "" when unknown."""
    return _by_system(system)


def role_of_name(name: str) -> str:
    """The role a name gives away, "" when it does not: `orders-db-0` -> database."""
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    while len(words) > 1 and _PLACES.match(words[-1]):
        words.pop()
    if not words or _OTHERS_WORK & set(words):
        return ""
    return (
        _SYSTEM_OF.get(words[-1], "") or _SYSTEM_OF.get(words[0], "") or _WORD_OF.get(words[-1], "")
    )


def guess(images: Iterable[str], systems: Iterable[str], names: Iterable[str]) -> tuple[str, str]:
    """(role, why) with the strongest evidence first: image, then attribute, then name."""
    for image in images:
        if role := role_of_image(image):
            return role, f"image {image}"
    for system in systems:
        if role := role_of_system(system):
            return role, f"called as {system}"
    for name in names:
        if role := role_of_name(name):
            return role, f"name {name}"
    return "service", ""


def _by_system(text: str) -> str:
    words = [word for word in re.split(r"[^a-z0-9]+", text.lower()) if word]
    if _OTHERS_WORK & set(words):
        return ""
    return next((_SYSTEM_OF[word] for word in words if word in _SYSTEM_OF), "")
