DROP TABLE role_grants;
DROP TABLE accounts;
DROP TABLE organisations;
