DROP TABLE saved_searches;
DROP TABLE search_areas;
DROP TABLE search_tokens;
DROP TABLE search_documents;
