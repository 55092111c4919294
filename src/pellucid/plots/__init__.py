"""Drawing that knows no task: gives images or SVG."""
