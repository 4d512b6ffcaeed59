"""Shapes of what senders deliver and are answered, for the schema: intake reads them by hand."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class WebhookSerializer(serializers.Serializer[Any]):
    """What intake reads of a webhook body. All else is ignored."""

    alerts = serializers.ListField(child=serializers.DictField())


class DeliveryAcceptedSerializer(serializers.Serializer[Any]):
    """`rejected` and `refused` are there when there is something to say."""

    delivery = serializers.UUIDField()
    alerts = serializers.IntegerField()
    rejected = serializers.CharField(required=False)
    refused = serializers.ListField(child=serializers.CharField(), required=False)


class PagerEventSerializer(serializers.Serializer[Any]):
    """PagerDuty's Events API v2."""

    routing_key = serializers.CharField(required=False)
    event_action = serializers.ChoiceField(choices=["trigger", "acknowledge", "resolve"])
    dedup_key = serializers.CharField(required=False)
    payload = serializers.DictField(required=False)


class PagerEventAcceptedSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    message = serializers.CharField()
    dedup_key = serializers.CharField(allow_null=True)
