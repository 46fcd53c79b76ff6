# The keys behind the record: one wraps customers' keys, one signs checkpoints. Neither ever leaves KMS.
resource "google_kms_key_ring" "opsplane" {
  name       = "opsplane"
  location   = var.region
  depends_on = [google_project_service.needed]
}

resource "google_kms_crypto_key" "wrap" {
  name            = "wrap"
  key_ring        = google_kms_key_ring.opsplane.id
  purpose         = "ENCRYPT_DECRYPT"
  rotation_period = "7776000s" # 90 days; older versions stay, for they open older keys

  lifecycle {
    prevent_destroy = true # with it every customer's words would be gone
  }
}

resource "google_kms_crypto_key" "sign" {
  name     = "sign"
  key_ring = google_kms_key_ring.opsplane.id
  purpose  = "ASYMMETRIC_SIGN"

  version_template {
    algorithm        = "EC_SIGN_ED25519"
    protection_level = "SOFTWARE"
  }

  lifecycle {
    prevent_destroy = true
  }
}

resource "google_kms_crypto_key_iam_member" "wrap" {
  crypto_key_id = google_kms_crypto_key.wrap.id
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = google_service_account.opsplane.member
}

resource "google_kms_crypto_key_iam_member" "sign" {
  crypto_key_id = google_kms_crypto_key.sign.id
  role          = "roles/cloudkms.signerVerifier"
  member        = google_service_account.opsplane.member
}
