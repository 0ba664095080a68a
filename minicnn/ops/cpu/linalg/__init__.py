"""What the kernels stand on: vectors, products, sums, memory, blocks, threads, compilation."""
