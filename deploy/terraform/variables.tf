variable "project" {
  description = "The project in Google Cloud that everything is made in."
  type        = string
}

variable "region" {
  description = "Where the service, the database and the indexes are; models are asked here first."
  type        = string
  default     = "us-central1"
}

variable "image" {
  description = "The image of the product, by tag or, better, by digest; made by deploy/Dockerfile."
  type        = string
}

variable "configuration" {
  description = "The configuration file, as in deploy/production.yaml."
  type        = string
}

variable "bank_url" {
  description = "The SQLAlchemy URL that the bank's accounts module opens; empty: the sample bank in the same database."
  type        = string
  default     = ""
  sensitive   = true
}

variable "database_tier" {
  description = "The machine of PostgreSQL."
  type        = string
  default     = "db-custom-2-7680"
}

variable "retention_days" {
  description = "Days that exported rows are kept in BigQuery; as long as policy keeps the record itself."
  type        = number
  default     = 2557

  validation {
    condition     = var.retention_days >= 365
    error_message = "A bank keeps what it told its customers for a year at the least."
  }
}

variable "instances" {
  description = "Instances of the service: at least, at most."
  type        = object({ least = number, most = number })
  default     = { least = 2, most = 10 }
}

variable "schedule" {
  description = "The jobs that another clock starts, and when (cron, in the bank's time zone)."
  type        = map(string)
  default = {
    judge     = "*/15 * * * *"
    watch     = "*/15 * * * *"
    golden    = "7 * * * *"
    calibrate = "40 3 * * *"
    export    = "*/15 * * * *"
  }
}

variable "time_zone" {
  description = "The bank's time zone."
  type        = string
  default     = "America/New_York"
}
