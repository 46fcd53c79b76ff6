"""Where documents come from: folders, single files, Git repositories, buckets of Google Cloud Storage."""
