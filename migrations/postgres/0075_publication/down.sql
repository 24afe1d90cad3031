DROP TABLE ocds_progress;
DROP TABLE ocds_processes;
DROP TABLE ocds_releases;
