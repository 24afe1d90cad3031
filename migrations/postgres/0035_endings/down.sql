DROP TABLE lot_endings;
