"""The exact cost model in closed form, compiled; `docs/cost_model.md` says what it counts."""
