"""A task worker: ``python -m tests.fleet.task_worker``."""

from prefect.task_worker import serve

from prefect_smtp_relay import send_an_email

if __name__ == "__main__":
    serve(send_an_email)
