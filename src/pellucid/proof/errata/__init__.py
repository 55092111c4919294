"""What the course notes have wrong: each mistake beside what is right, both of them tried."""
