DROP TABLE one_time_links;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE passwords;
