# One job that Cloud Scheduler starts with other arguments each time.
resource "google_cloud_run_v2_job" "opsplane" {
  for_each            = var.schedule
  name                = "opsplane-${each.key}"
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account = google_service_account.opsplane.email
      timeout         = "3600s"
      max_retries     = 0 # the next one does what this one could not

      containers {
        image = var.image
        args  = ["job", "run", each.key]

        env {
          name  = "OPSPLANE_CONFIG"
          value = "/etc/opsplane/production.yaml"
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

        resources {
          limits = { cpu = "2", memory = "2Gi" }
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
}

resource "google_service_account" "clock" {
  account_id   = "opsplane-clock"
  display_name = "Starts the assistant's jobs"
}

resource "google_cloud_run_v2_job_iam_member" "clock" {
  for_each = var.schedule
  name     = google_cloud_run_v2_job.opsplane[each.key].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.clock.member
}

resource "google_cloud_scheduler_job" "opsplane" {
  for_each         = var.schedule
  name             = "opsplane-${each.key}"
  region           = var.region
  schedule         = each.value
  time_zone        = var.time_zone
  attempt_deadline = "60s"

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.opsplane[each.key].id}:run"

    oauth_token {
      service_account_email = google_service_account.clock.email
    }
  }
}
