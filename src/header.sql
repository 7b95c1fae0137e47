\echo Use "CREATE EXTENSION engagement" to load this file. \quit

