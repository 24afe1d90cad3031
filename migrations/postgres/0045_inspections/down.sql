DROP TABLE inspection_contests;
DROP TABLE inspection_annulments;
DROP TABLE inspections;
DROP TABLE inspection_omissions;
DROP TABLE inspection_plans;
