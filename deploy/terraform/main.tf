locals {
  services = [
    "aiplatform.googleapis.com",
    "artifactregistry.googleapis.com",
    "bigquery.googleapis.com",
    "cloudkms.googleapis.com",
    "cloudscheduler.googleapis.com",
    "discoveryengine.googleapis.com",
    "modelarmor.googleapis.com",
    "monitoring.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "sqladmin.googleapis.com",
    "vectorsearch.googleapis.com",
  ]

  # what the service does in the project, each by the narrowest role that allows it
  roles = [
    "roles/aiplatform.user",
    "roles/bigquery.jobUser",
    "roles/cloudsql.client",
    "roles/discoveryengine.viewer",
    "roles/modelarmor.user",
    "roles/monitoring.metricWriter",
  ]
}

resource "google_project_service" "needed" {
  for_each           = toset(local.services)
  service            = each.value
  disable_on_destroy = false
}

resource "google_service_account" "opsplane" {
  account_id   = "opsplane"
  display_name = "The assistant and its control plane"
}

resource "google_project_iam_member" "opsplane" {
  for_each = toset(local.roles)
  project  = var.project
  role     = each.value
  member   = google_service_account.opsplane.member
}

resource "google_artifact_registry_repository" "opsplane" {
  repository_id = "opsplane"
  location      = var.region
  format        = "DOCKER"
  depends_on    = [google_project_service.needed]

  docker_config {
    immutable_tags = true
  }
}
