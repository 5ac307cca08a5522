"""ZigZag's files (github.com/KULeuven-MICAS/zigzag): workloads in."""
