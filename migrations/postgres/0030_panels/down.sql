DROP TABLE panel_members;
DROP TABLE panel_draws;
DROP TABLE panels;
DROP TABLE expert_categories;
DROP TABLE experts;
