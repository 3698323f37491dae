"""The whole job: from a world to a model in production and a store that is ready to serve."""
