"""Pictures of networks: as blocks with sizes, and what one unit of them sees."""
