resource "random_password" "session" {
  length  = 64
  special = false
}

locals {
  socket = "host=/cloudsql/${google_sql_database_instance.opsplane.connection_name}"
  login  = "postgresql://${google_sql_user.opsplane.name}:${random_password.database.result}"

  secrets = {
    OPSPLANE_RECORD_URL     = "${local.login}@/record?${local.socket}"
    OPSPLANE_CHAT_URL       = "${local.login}@/chat?${local.socket}"
    OPSPLANE_BANK_URL       = var.bank_url != "" ? var.bank_url : "${local.login}@/bank?${local.socket}"
    OPSPLANE_SESSION_SECRET = random_password.session.result
  }

  # their names are no secret, and for_each needs them in the open
  names = toset(["OPSPLANE_RECORD_URL", "OPSPLANE_CHAT_URL", "OPSPLANE_BANK_URL", "OPSPLANE_SESSION_SECRET"])
}

resource "google_secret_manager_secret" "environment" {
  for_each   = local.names
  secret_id  = lower(replace(each.value, "_", "-"))
  depends_on = [google_project_service.needed]

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "environment" {
  for_each    = local.names
  secret      = google_secret_manager_secret.environment[each.value].id
  secret_data = local.secrets[each.value]
}

resource "google_secret_manager_secret_iam_member" "environment" {
  for_each  = local.names
  secret_id = google_secret_manager_secret.environment[each.value].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.opsplane.member
}

resource "google_secret_manager_secret" "configuration" {
  secret_id  = "opsplane-config"
  depends_on = [google_project_service.needed]

  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "configuration" {
  secret      = google_secret_manager_secret.configuration.id
  secret_data = var.configuration
}

resource "google_secret_manager_secret_iam_member" "configuration" {
  secret_id = google_secret_manager_secret.configuration.id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.opsplane.member
}
