DROP TABLE acceptance_served_people;
DROP TABLE acceptance_drafts;
DROP TABLE contract_acceptances;
