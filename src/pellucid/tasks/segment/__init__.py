"""Which of K classes does each pixel show?"""
