DROP TABLE year_ends;
