DROP INDEX ocds_releases_subjects;
