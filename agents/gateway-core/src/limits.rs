//! Holds exchanges to budgets and limits: reserve, draw down, settle, each exactly once.
