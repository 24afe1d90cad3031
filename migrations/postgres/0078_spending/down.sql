DROP TABLE spending_totals;
DROP TABLE spending_facts;
DROP TABLE spending_subjects;
DROP TABLE spending_matters;
