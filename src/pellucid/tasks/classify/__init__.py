"""Which of K classes does the picture show?"""
