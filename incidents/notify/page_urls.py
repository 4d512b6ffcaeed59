"""Pages of notifications, below /notifications."""

from django.urls import path

from incidents.notify import channel_pages, pages, rule_pages

urlpatterns = [
    path("", pages.notifications, name="notifications"),
    path("/sent/<uuid:key>", pages.notification, name="notification"),
    path("/sent/<uuid:key>/retry", pages.retry, name="notification-retry"),
    path("/channels", channel_pages.channels, name="channels"),
    path("/channels/new", channel_pages.new, name="channel-new"),
    path("/channels/<uuid:channel_id>", channel_pages.edit, name="channel"),
    path("/channels/<uuid:channel_id>/switch", channel_pages.switch, name="channel-switch"),
    path("/channels/<uuid:channel_id>/remove", channel_pages.remove, name="channel-remove"),
    path("/channels/<uuid:channel_id>/test", channel_pages.test, name="channel-test"),
    path("/rules", rule_pages.rules, name="notification-rules"),
    path("/rules/new", rule_pages.new, name="notification-rule-new"),
    path("/rules/trial", rule_pages.trial, name="notification-trial"),
    path("/rules/<uuid:rule_id>", rule_pages.edit, name="notification-rule"),
    path("/rules/<uuid:rule_id>/switch", rule_pages.switch, name="notification-rule-switch"),
    path("/rules/<uuid:rule_id>/remove", rule_pages.remove, name="notification-rule-remove"),
]
