DROP TABLE served_places;
