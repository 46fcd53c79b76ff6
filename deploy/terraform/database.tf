resource "google_sql_database_instance" "opsplane" {
  name                = "opsplane"
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = true
  depends_on          = [google_project_service.needed]

  settings {
    tier              = var.database_tier
    edition           = "ENTERPRISE"
    availability_type = "REGIONAL"
    disk_autoresize   = true

    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = 7

      backup_retention_settings {
        retained_backups = 35
      }
    }

    ip_configuration {
      ipv4_enabled = true # reached through the Cloud SQL connector only: no network is authorised
      ssl_mode     = "ENCRYPTED_ONLY"
    }

    # an acknowledged entry is on disk: never anything else
    database_flags {
      name  = "synchronous_commit"
      value = "on"
    }
  }
}

resource "google_sql_database" "opsplane" {
  for_each = toset(["record", "chat", "bank"])
  name     = each.value
  instance = google_sql_database_instance.opsplane.name
}

resource "random_password" "database" {
  length  = 40
  special = false
}

resource "google_sql_user" "opsplane" {
  name     = "opsplane"
  instance = google_sql_database_instance.opsplane.name
  password = random_password.database.result
}
