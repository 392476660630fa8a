"""What the engines need besides the project: packages for tests, a layer for Milvus."""
