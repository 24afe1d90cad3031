DROP TABLE evaluation_places;
DROP TABLE evaluations;
