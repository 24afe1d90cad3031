DROP TABLE opening_keys;
DROP TABLE lots;
DROP TABLE book_areas;
DROP TABLE book_versions;
DROP TABLE books;
