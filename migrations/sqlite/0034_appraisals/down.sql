DROP TABLE lot_appraisals;
