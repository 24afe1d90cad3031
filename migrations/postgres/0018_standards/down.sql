DROP TABLE standard_versions;
DROP TABLE standards;
DROP TABLE service_categories;
