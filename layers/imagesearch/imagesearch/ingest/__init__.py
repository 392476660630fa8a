"""Pictures in bulk: increment.meta, its tasks and workers, and the inbox."""
