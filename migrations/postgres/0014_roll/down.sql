DROP TABLE invitation_letters;
DROP TABLE residents;
DROP TABLE households;
