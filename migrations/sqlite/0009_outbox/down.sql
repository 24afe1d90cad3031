DROP TABLE mail_preferences;
DROP TABLE outbox;
