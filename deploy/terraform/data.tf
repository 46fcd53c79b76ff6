# The bank's documents, which every instance looks at, and where the record is exported to.
resource "google_storage_bucket" "documents" {
  name                        = "${var.project}-opsplane-documents"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"

  versioning {
    enabled = true
  }
}

resource "google_storage_bucket_iam_member" "documents" {
  bucket = google_storage_bucket.documents.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.opsplane.member
}

resource "google_bigquery_dataset" "opsplane" {
  dataset_id                      = "opsplane"
  location                        = var.region
  description                     = "What the assistant said, decided and cost, exported from its record."
  default_partition_expiration_ms = var.retention_days * 24 * 60 * 60 * 1000
  depends_on                      = [google_project_service.needed]
}

resource "google_bigquery_dataset_iam_member" "opsplane" {
  dataset_id = google_bigquery_dataset.opsplane.dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.opsplane.member
}
