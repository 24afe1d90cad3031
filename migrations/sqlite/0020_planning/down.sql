DROP TABLE consultation_reviews;
DROP TABLE consultations;
DROP TABLE intention_areas;
DROP TABLE intention_versions;
DROP TABLE intention_notices;
