"""Opsplane's jobs in Cloud Composer (Airflow 2.7 or newer): one small DAG for each, a pod that runs one command.

Copy this file into the environment's `dags/` folder. It is no part of the product and nothing imports it. Variables of
the Airflow environment say what it needs: `opsplane_image` (the image of the service), `opsplane_namespace`, and
`opsplane_secret` (a Kubernetes secret whose keys are OPSPLANE_* settings, with the record on PostgreSQL).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow import DAG
from airflow.models import Variable
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models

ZONE = ZoneInfo("America/New_York")
JOBS = {  # name: when it runs, and minutes after which it is given up
    "judge": ("*/5 * * * *", 15),
    "watch": ("2-59/5 * * * *", 15),
    "golden": ("7 * * * *", 50),
    "calibrate": ("30 3 * * *", 120),
    "export": ("4-59/5 * * * *", 60),  # where OPSPLANE_BIGQUERY_DATASET is set; leave it out elsewhere
}


def dag(name: str, schedule: str, minutes: int) -> DAG:
    """One job. Missed turns are not made up for, and two turns never run at a time."""
    made = DAG(
        dag_id=f"opsplane_{name}",
        schedule=schedule,
        start_date=datetime(2026, 1, 1, tzinfo=ZONE),
        catchup=False,
        max_active_runs=1,
        default_args={"retries": 1, "retry_delay": timedelta(minutes=1)},
        tags=["opsplane"],
    )
    secret = models.V1SecretEnvSource(name="{{ var.value.opsplane_secret }}")
    KubernetesPodOperator(
        dag=made,
        task_id="run",
        name=f"opsplane-{name}",
        namespace=Variable.get("opsplane_namespace", default_var="composer-user-workloads"),
        image="{{ var.value.opsplane_image }}",
        cmds=["opsplane"],
        arguments=["job", "run", name],
        env_from=[models.V1EnvFromSource(secret_ref=secret)],
        execution_timeout=timedelta(minutes=minutes),
        get_logs=True,
        on_finish_action="delete_pod",
    )
    return made


for _name, (_schedule, _minutes) in JOBS.items():
    globals()[f"opsplane_{_name}"] = dag(_name, _schedule, _minutes)
