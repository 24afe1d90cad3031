DROP TABLE spending_imported_names;
DROP TABLE spending_imported_totals;
DROP TABLE spending_imported;
