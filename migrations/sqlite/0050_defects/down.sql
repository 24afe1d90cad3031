DROP TABLE defect_report_days;
DROP TABLE defect_contacts;
DROP TABLE defect_reports;
DROP TABLE defect_rounds;
DROP TABLE defects;
