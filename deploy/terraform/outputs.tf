output "service" {
  description = "The service's own address; customers reach it through the bank's load balancer."
  value       = google_cloud_run_v2_service.opsplane.uri
}

output "keys" {
  description = "What `keys` is set to in the configuration file."
  value       = "kms:${google_kms_crypto_key.wrap.id};kms:${google_kms_crypto_key.sign.id}/cryptoKeyVersions/1"
}

output "documents" {
  description = "Put the bank's documents here, then: opsplane ingest gs://..."
  value       = google_storage_bucket.documents.url
}

output "dataset" {
  description = "What `bigquery_dataset` is set to."
  value       = google_bigquery_dataset.opsplane.dataset_id
}
