DROP TABLE contract_items;
