"""What lies behind the things of a scene: textures that are made up, and photographs."""
