resource "google_cloud_run_v2_service" "opsplane" {
  name                = "opsplane"
  location            = var.region
  ingress             = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  deletion_protection = true

  depends_on = [
    google_secret_manager_secret_version.environment,
    google_secret_manager_secret_version.configuration,
    google_secret_manager_secret_iam_member.environment,
    google_secret_manager_secret_iam_member.configuration,
    google_sql_database.opsplane,
  ]

  template {
    service_account                  = google_service_account.opsplane.email
    timeout                          = "3600s"
    session_affinity                 = true
    max_instance_request_concurrency = 200
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"

    scaling {
      min_instance_count = var.instances.least
      max_instance_count = var.instances.most
    }

    containers {
      image = var.image
      args  = ["serve", "--config", "/etc/opsplane/production.yaml"]

      ports {
        container_port = 8000
      }

      resources {
        limits            = { cpu = "2", memory = "2Gi" }
        cpu_idle          = false # sockets and the watch over rollouts work between requests
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.names
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.environment[env.value].secret_id
              version = "latest"
            }
          }
        }
      }

      startup_probe {
        period_seconds    = 5
        timeout_seconds   = 4
        failure_threshold = 48
        http_get { path = "/healthz" }
      }

      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 10
        failure_threshold = 4
        http_get { path = "/healthz" }
      }

      volume_mounts {
        name       = "data"
        mount_path = "/data"
      }

      volume_mounts {
        name       = "config"
        mount_path = "/etc/opsplane"
      }

      volume_mounts {
        name       = "cloudsql"
        mount_path = "/cloudsql"
      }
    }

    # the library and the models are made again at each start; what must stay is in PostgreSQL
    volumes {
      name = "data"
      empty_dir {
        medium     = "MEMORY"
        size_limit = "768Mi"
      }
    }

    volumes {
      name = "config"
      secret {
        secret = google_secret_manager_secret.configuration.secret_id
        items {
          version = "latest"
          path    = "production.yaml"
        }
      }
    }

    volumes {
      name = "cloudsql"
      cloud_sql_instance {
        instances = [google_sql_database_instance.opsplane.connection_name]
      }
    }
  }
}
