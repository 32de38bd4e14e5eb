"""Checks that Uploadcare's official Python client works with the simulator without any change.

Takes the base URL of the simulator:

    cargo run -p uploadcare-sim -- --listen 127.0.0.1:8500
    python tests/official_clients/pyuploadcare_client.py http://127.0.0.1:8500
"""

import sys

from pyuploadcare import Uploadcare
from pyuploadcare.api.auth import UploadcareSimpleAuth
from pyuploadcare.exceptions import AuthenticationError, UploadcareException, WebhookIsNotUnique

TARGET = "https://app.example.com/hooks"


def client(base_url, secret_key="demosecretkey", **options):
    return Uploadcare(public_key="demopublickey", secret_key=secret_key, api_base=base_url + "/", **options)


def expect_error(expected, call):
    try:
        call()
    except expected:
        return
    raise AssertionError(f"the call did not raise {expected.__name__}")


def check_every_webhook_call(uploadcare):
    assert list(uploadcare.list_webhooks()) == []
    created = uploadcare.create_webhook(TARGET, event="file.stored", signing_secret="7kMVZivndx0ErgvhRKAr")
    assert (created.event, created.target_url, created.is_active) == ("file.stored", TARGET, True), created
    expect_error(WebhookIsNotUnique, lambda: uploadcare.create_webhook(TARGET, event="file.stored"))
    paused = uploadcare.update_webhook(created, is_active=False)
    assert paused.is_active is False and paused.id == created.id, paused
    assert [webhook.id for webhook in uploadcare.list_webhooks()] == [created.id]
    uploadcare.delete_webhook(created)
    assert list(uploadcare.list_webhooks()) == []


def main():
    base_url = sys.argv[1]
    check_every_webhook_call(client(base_url))
    check_every_webhook_call(client(base_url, auth_class=UploadcareSimpleAuth))
    expect_error(UploadcareException, lambda: list(client(base_url, secret_key="wrong").list_webhooks()))
    print("pyuploadcare works with the simulator without any change")


if __name__ == "__main__":
    main()
